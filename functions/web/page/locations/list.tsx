/** From where checks are made, and whether that works. */
import { useState } from "preact/hooks";
import { get } from "../api.ts";
import { usePolling } from "../live.ts";
import type { Location, Page } from "../model.ts";
import { Failed } from "../parts/notice.tsx";
import { Ago } from "../parts/time.tsx";
import { plural } from "../words.ts";

const POLL_MS = 15_000;

const CONDITIONS = {
  working: "works",
  silent: "silent: no heartbeats, so its checks do not count",
  offline: "offline: its control targets do not answer, so its checks do not count",
} as const;

export const LocationsPage = () => {
  const [locations, setLocations] = useState<readonly Location[] | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  usePolling(
    async (isPoll) => {
      try {
        setLocations((await get<Page<Location>>("/v1/locations", { isPoll })).items);
        setFailure(null);
      } catch (error) {
        setFailure(error);
        throw error;
      }
    },
    POLL_MS,
    [],
  );
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>Locations</h1>
      </div>
      {failure !== null && <Failed failure={failure} />}
      {locations && (
        <div class="scrolled">
          <table>
            <thead>
              <tr>
                <th scope="col">Location</th>
                <th scope="col">Condition</th>
                <th scope="col">Heartbeat</th>
                <th scope="col">Reaches</th>
              </tr>
            </thead>
            <tbody>
              {locations.map(({ name, region, condition, lastHeartbeatAt, families, port25, lateTicks, ...since }) => (
                <tr key={name}>
                  <td>
                    <strong>{name}</strong>
                    <div class="dim small">{region}</div>
                  </td>
                  <td class={condition === "working" ? "" : "is-down"}>
                    {CONDITIONS[condition]}
                    {condition !== "working" && (
                      <>
                        {" "}
                        (<Ago at={since.silentSince ?? since.offlineSince ?? new Date().toISOString()} />)
                      </>
                    )}
                    {lateTicks.length > 0 && (
                      <div class="is-degraded">{plural(lateTicks.length, "group")} of monitors not checked in time</div>
                    )}
                  </td>
                  <td>{lastHeartbeatAt ? <Ago at={lastHeartbeatAt} /> : "never"}</td>
                  <td>
                    {families.join(", ").replaceAll("ip", "IP")}
                    <div class="dim small">{port25 ? "port 25 too" : "port 25 may be blocked"}</div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  );
};
