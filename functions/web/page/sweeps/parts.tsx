/** What pages about sweeps share: ports by host, and a table of sweeps. */
import { lasting, NONE, plural, when } from "../words.ts";
import {
  byAddress,
  firstSeenOf,
  isMeasured,
  type OpenPort,
  portInWords,
  type Sweep,
  secondsOf,
  serviceInWords,
} from "./sweep.ts";

export const Ports = ({ label, ports }: { readonly label: string; readonly ports: readonly OpenPort[] }) => (
  <div class="scrolled">
    <table class="stacked" aria-label={label}>
      <thead>
        <tr>
          <th scope="col" class="addresses">
            Address
          </th>
          <th scope="col">Ports, and what answers there</th>
        </tr>
      </thead>
      <tbody>
        {[...byAddress(ports)].map(([address, own]) => {
          const first = firstSeenOf(own);
          return (
            <tr key={address}>
              <td>
                <code>{address}</code>
                <div class="dim small">
                  {plural(own.length, "port")}
                  {first !== null && `, first seen ${when(first)}`}
                </div>
              </td>
              <td>
                <ul class="ports">
                  {own.map((port) => (
                    <li key={portInWords(port)}>
                      <b>{portInWords(port)}</b>{" "}
                      <span class="dim" dir="auto">
                        {serviceInWords(port.service)}
                        {port.firstSeenAt !== null &&
                          port.firstSeenAt !== first &&
                          `, first seen ${when(port.firstSeenAt)}`}
                      </span>
                    </li>
                  ))}
                </ul>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  </div>
);

/** Ports that were open before, and between which sweeps. */
export const ClosedPorts = ({ ports }: { readonly ports: readonly OpenPort[] }) => (
  <>
    <h3>No longer open</h3>
    <div class="scrolled">
      <table class="stacked" aria-label="Ports that were open before">
        <thead>
          <tr>
            <th scope="col">Port</th>
            <th scope="col">What answered there</th>
            <th scope="col">First seen</th>
            <th scope="col">Last seen</th>
          </tr>
        </thead>
        <tbody>
          {ports.map((port) => (
            <tr key={`${port.address} ${portInWords(port)}`}>
              <td>
                <b>{portInWords(port)}</b> <code>{port.address}</code>
              </td>
              <td data-label="Answered">{serviceInWords(port.service)}</td>
              <td data-label="First seen">{port.firstSeenAt === null ? NONE : when(port.firstSeenAt)}</td>
              <td data-label="Last seen">{when(port.lastSeenAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </>
);

export const pathOf = (id: string, { tick, location }: Sweep) =>
  `/monitors/${id}/sweep?${new URLSearchParams({ tick: String(tick), location })}`;

export const Sweeps = ({ id, sweeps }: { readonly id: string; readonly sweeps: readonly Sweep[] }) => (
  <div class="scrolled">
    <table class="stacked" aria-label="Sweeps">
      <thead>
        <tr>
          <th scope="col">Began</th>
          <th scope="col">Location</th>
          <th scope="col">Lasted</th>
          <th scope="col" class="number">
            Open ports
          </th>
          <th scope="col">What it found</th>
        </tr>
      </thead>
      <tbody>
        {sweeps.map((sweep) => (
          <tr key={`${sweep.tick} ${sweep.location}`}>
            <td>
              <a href={pathOf(id, sweep)}>{when(sweep.startedAt)}</a>
            </td>
            <td data-label="Location">{sweep.location}</td>
            <td data-label="Lasted">{lasting(secondsOf(sweep))}</td>
            <td data-label="Open ports" class="number">
              {isMeasured(sweep) ? sweep.open : NONE}
            </td>
            <td dir="auto">{sweep.message}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
