/** Sends a test through a channel, and says what the service answered. */
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { Failed } from "../parts/notice.tsx";

interface Tested {
  readonly delivered: boolean;
  readonly messages: readonly { readonly delivered: boolean; readonly answer: string }[];
}

export const SendTest = ({ id, name }: { readonly id: string; readonly name?: string }) => {
  const [said, say] = useState("");
  const [failure, fail] = useState<unknown>(null);
  const test = async () => {
    say("Sending…");
    fail(null);
    try {
      const { delivered, messages } = await call<Tested>("POST", `/v1/channels/${id}/test`);
      const refusal = messages.find((message) => !message.delivered);
      say(delivered ? "The test was taken." : `The test was not taken: ${refusal?.answer}`);
    } catch (error) {
      say("");
      fail(error);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void test()}>
        Send test{name && ` to ${name}`}
      </button>
      <span role="status" class="small">
        {said}
      </span>
      {failure !== null && <Failed failure={failure} />}
    </>
  );
};
