/** Moments in words, and exactly on hover and for machines. */
import { now } from "../live.ts";
import { ago, lastingSince, when } from "../words.ts";

/** How long ago. */
export const Ago = ({ at }: { readonly at: string }) => (
  <time dateTime={at} title={when(at)}>
    {ago(at, now.value)}
  </time>
);

/** How long something has lasted, and since when on hover and for machines. */
export const For = ({ since }: { readonly since: string }) => (
  <time dateTime={since} title={`since ${when(since)}`}>
    for {lastingSince(since, now.value)}
  </time>
);
