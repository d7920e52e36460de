/** Commands that no store sends: what DynamoDB refuses, and the corners of its expressions. One after the other. */

type Odd = readonly [kind: string, input: object];

/**
 * Where dynalite is wrong: it finds equal maps different, and takes an empty text as the key of an index or of a query.
 */
export const beyondDynalite = (TableName: string): Odd[] => {
  const Key = { pk: "BEYOND", sk: "1" };
  return [
    ["PutCommand", { TableName, Item: { ...Key, map: { room: { deep: 1 } } } }],
    [
      "UpdateCommand",
      {
        TableName,
        Key,
        UpdateExpression: "ADD n :one",
        ConditionExpression: "#map = :map",
        ExpressionAttributeNames: { "#map": "map" },
        ExpressionAttributeValues: { ":one": 1, ":map": { room: { deep: 1 } } },
      },
    ],
    ["PutCommand", { TableName, Item: { ...Key, dueBucket: "", nextEvaluationAt: "x" } }],
    ["GetCommand", { TableName, Key }],
    ...["pk = :pk AND sk BETWEEN :a AND :b", "pk = :pk AND sk > :a"].map(
      (KeyConditionExpression): Odd => [
        "QueryCommand",
        {
          TableName,
          KeyConditionExpression,
          ExpressionAttributeValues: {
            ":pk": "LIST",
            ":a": "",
            ...(KeyConditionExpression.includes(":b") && { ":b": "s3" }),
          },
        },
      ],
    ),
  ];
};

export function oddCommands(TableName: string): Odd[] {
  const Key = { pk: "ODD", sk: "1" };
  const put = (more: object): Odd => ["PutCommand", { TableName, ...more }];
  const get = (more: object = {}): Odd => ["GetCommand", { TableName, Key, ConsistentRead: true, ...more }];
  const update = (UpdateExpression: string, values?: object, more: object = {}): Odd => [
    "UpdateCommand",
    { TableName, Key, UpdateExpression, ...(values && { ExpressionAttributeValues: values }), ...more },
  ];
  const when = (ConditionExpression: string, values?: object, more: object = {}): Odd =>
    update(
      "SET hits = if_not_exists(hits, :zero) + :one",
      { ":zero": 0, ":one": 1, ...values },
      { ConditionExpression, ...more },
    );
  const query = (KeyConditionExpression: string, values: object, more: object = {}): Odd => [
    "QueryCommand",
    { TableName, KeyConditionExpression, ExpressionAttributeValues: values, ConsistentRead: true, ...more },
  ];
  const item = {
    ...Key,
    n: 5,
    text: "müde",
    list: [1, "two"],
    set: new Set(["x", "y"]),
    map: { room: { deep: 1 } },
    no: null,
  };

  return [
    put({ Item: item, ReturnValues: "ALL_OLD" }),
    put({ Item: item, ReturnValues: "ALL_OLD" }),
    get({ ProjectionExpression: "n, #map.room.deep, gone", ExpressionAttributeNames: { "#map": "map" } }),
    get({ ProjectionExpression: "n, #map", ExpressionAttributeNames: { "#map": "map", "#unused": "x" } }),
    // Conditions.
    when("n BETWEEN :low AND :high AND NOT (n = :other OR attribute_exists(gone))", {
      ":low": 5,
      ":high": 6,
      ":other": 7,
    }),
    when("n IN (:low, :high)", { ":low": 4, ":high": 5 }),
    when("n IN (:low)", { ":low": 4 }),
    when(
      "contains(#set, :x) AND contains(#text, :m) AND contains(#list, :two)",
      { ":x": "x", ":m": "üd", ":two": "two" },
      {
        ExpressionAttributeNames: { "#set": "set", "#text": "text", "#list": "list" },
      },
    ),
    when("begins_with(#text, :start)", { ":start": "mü" }, { ExpressionAttributeNames: { "#text": "text" } }),
    when("gone <> :any", { ":any": 1 }),
    when("gone < :any OR gone = :any", { ":any": 1 }),
    when("n < :text", { ":text": "9" }),
    when("#no = :null", { ":null": null }, { ExpressionAttributeNames: { "#no": "no" } }),
    when("n = :missing"),
    when("n == :low", { ":low": 5 }),
    when("n = :low AND", { ":low": 5 }),
    when("n = :low", { ":low": 5, ":unused": 1 }),
    get(),
    // Updates.
    update(
      "SET #map.room.#new = :v REMOVE #map.room.deep",
      { ":v": [1] },
      {
        ExpressionAttributeNames: { "#map": "map", "#new": "new" },
        ReturnValues: "ALL_NEW",
      },
    ),
    update("SET #map.gone.deep = :v", { ":v": 1 }, { ExpressionAttributeNames: { "#map": "map" } }),
    update("REMOVE gone.deep"),
    update("REMOVE gone"),
    update("SET n = n - :v, m = n", { ":v": 2 }, { ReturnValues: "ALL_NEW" }),
    update("SET n = gone", undefined),
    update("SET n = n + :v", { ":v": "text" }),
    update(
      "ADD n :v, fresh :v, #set :more",
      { ":v": 1, ":more": new Set(["y", "z"]) },
      { ExpressionAttributeNames: { "#set": "set" }, ReturnValues: "ALL_NEW" },
    ),
    update("ADD n :v", { ":v": "text" }),
    update("ADD #text :v", { ":v": 1 }, { ExpressionAttributeNames: { "#text": "text" } }),
    update("SET #map.room = :v, #map.room.deep = :v", { ":v": 1 }, { ExpressionAttributeNames: { "#map": "map" } }),
    update("SET n = :v REMOVE n", { ":v": 1 }),
    update("SET sk = :v", { ":v": "2" }),
    update(
      "DELETE #set :taken",
      { ":taken": new Set(["x", "none"]) },
      { ExpressionAttributeNames: { "#set": "set" }, ReturnValues: "ALL_NEW" },
    ),
    update(
      "DELETE #set :taken",
      { ":taken": new Set(["y", "z"]) },
      { ExpressionAttributeNames: { "#set": "set" }, ReturnValues: "ALL_NEW" },
    ),
    update(
      "DELETE #set :taken",
      { ":taken": new Set(["y"]) },
      { ExpressionAttributeNames: { "#set": "set" }, ReturnValues: "ALL_NEW" },
    ),
    update("DELETE n :taken", { ":taken": new Set(["y"]) }),
    update("SET n = :v SET m = :v", { ":v": 1 }),
    update("SET big = :big", { ":big": "x".repeat(410_000) }),
    put({ Item: { pk: "ODD", sk: "big", big: "x".repeat(409_580) } }),
    put({ Item: { pk: "ODD", sk: "big", big: "x".repeat(409_600) } }),
    put({ Item: { pk: "ODD", sk: "" } }),
    put({ Item: { pk: "ODD" } }),
    put({ Item: { pk: "ODD", sk: 5 } }),
    put({ Item: { ...Key, sk: "null", dueBucket: null, nextEvaluationAt: "x" } }),
    put({ Item: { ...Key, sk: "half", dueBucket: "DUE#0" } }),
    update("SET dueBucket = :null", { ":null": null }),
    get(),
    ["UpdateCommand", { TableName, Key: { pk: "ODD", sk: "new" } }],
    ["DeleteCommand", { TableName, Key: { pk: "ODD", sk: "half" }, ReturnValues: "ALL_OLD" }],
    ["DeleteCommand", { TableName, Key: { pk: "ODD", sk: "half" }, ReturnValues: "ALL_OLD" }],
    ["GetCommand", { TableName: "nowhere", Key }],
    ["GetCommand", { TableName, Key: { pk: "ODD" } }],
    ["GetCommand", { TableName, Key: { ...Key, more: "x" } }],
    // Queries.
    ...Array.from({ length: 5 }, (_, n) => put({ Item: { pk: "LIST", sk: `s${n}`, n } })),
    ...["<", "<=", "=", ">=", ">"].map((operator) =>
      query(`pk = :pk AND sk ${operator} :sk`, { ":pk": "LIST", ":sk": "s2" }),
    ),
    query("pk = :pk AND begins_with(sk, :s)", { ":pk": "LIST", ":s": "s" }, { ScanIndexForward: false, Limit: 2 }),
    query("pk = :pk AND sk BETWEEN :a AND :b", { ":pk": "LIST", ":a": "s1", ":b": "s3" }, { ScanIndexForward: false }),
    query("pk = :pk", { ":pk": "LIST" }, { ExclusiveStartKey: { pk: "LIST", sk: "s2" } }),
    query("pk = :pk", { ":pk": "LIST" }, { ExclusiveStartKey: { pk: "LIST", sk: "s25" }, ScanIndexForward: false }),
    query("pk = :pk", { ":pk": "LIST" }, { ExclusiveStartKey: { pk: "LIST" } }),
    query("pk = :pk", { ":pk": "LIST" }, { Limit: 5 }),
    query("pk = :pk", { ":pk": "LIST" }, { Limit: 0 }),
    query("pk = :pk", { ":pk": 5 }),
    query("sk = :sk", { ":sk": "s1" }),
    query("pk = :pk AND n = :n", { ":pk": "LIST", ":n": 1 }),
    query("pk = :pk", { ":pk": "LIST", ":unused": 1 }),
    query("pk = :pk", { ":pk": "LIST" }, { ProjectionExpression: "sk, n" }),
    query("pk = :pk", { ":pk": "LIST", ":n": 1 }, { FilterExpression: "n > :n", Limit: 3 }),
    query("pk = :pk", { ":pk": "LIST", ":n": 9 }, { FilterExpression: "n > :n" }),
    query("dueBucket = :b", { ":b": "DUE#0" }, { IndexName: "due" }),
    query("dueBucket = :b", { ":b": "DUE#0" }, { IndexName: "nowhere", ConsistentRead: false }),
    // A page ends at 1 MB.
    ...Array.from({ length: 5 }, (_, n) => put({ Item: { pk: "PAGE", sk: `${n}`, text: "x".repeat(300_000) } })),
    query("pk = :pk", { ":pk": "PAGE" }, { ProjectionExpression: "sk" }),
    query("pk = :pk", { ":pk": "PAGE" }, { ProjectionExpression: "sk", Limit: 4, ScanIndexForward: false }),
    query("pk = :pk", { ":pk": "PAGE" }, { ProjectionExpression: "sk", ExclusiveStartKey: { pk: "PAGE", sk: "1" } }),
    // Batches.
    ["BatchGetCommand", { RequestItems: { [TableName]: { Keys: [Key, Key] } } }],
    [
      "BatchGetCommand",
      { RequestItems: { [TableName]: { Keys: [Key, { pk: "ODD", sk: "none" }], ProjectionExpression: "sk" } } },
    ],
    [
      "BatchGetCommand",
      { RequestItems: { [TableName]: { Keys: Array.from({ length: 101 }, (_, n) => ({ pk: "P", sk: `${n}` })) } } },
    ],
    [
      "BatchWriteCommand",
      { RequestItems: { [TableName]: [{ PutRequest: { Item: { ...Key, n: 1 } } }, { DeleteRequest: { Key } }] } },
    ],
    [
      "BatchWriteCommand",
      { RequestItems: { [TableName]: [{ PutRequest: { Item: { pk: "B", sk: "1" } } }, { DeleteRequest: { Key } }] } },
    ],
    get(),
    query("pk = :pk", { ":pk": "B" }),
  ];
}
