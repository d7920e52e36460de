/** ARN of a Lambda function, with or without a version or alias. */
export const FUNCTION_ARN = /^arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w:$-]+$/;
