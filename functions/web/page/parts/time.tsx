/** A moment: how long ago, and exactly when on hover and for machines. */
import { now } from "../live.ts";
import { ago, when } from "../words.ts";

export const Ago = ({ at }: { readonly at: string }) => (
  <time dateTime={at} title={when(at)}>
    {ago(at, now.value)}
  </time>
);
