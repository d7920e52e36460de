/** Readings of interfaces for tests: complete, and different only where a test says so. */
import type { InterfaceReading } from "../../shared/contract/poll.ts";

export const interfaceReading = (more: Partial<InterfaceReading> = {}): InterfaceReading => ({
  index: 7,
  name: "Gi1/0/7",
  alias: "",
  type: 6,
  admin: 1,
  oper: 1,
  lastChange: 100,
  discontinuity: 0,
  speedMbps: 1_000,
  duplex: 3,
  isWide: true,
  inOctets: 1_000_000n,
  outOctets: 2_000_000n,
  inPackets: 1_000n,
  outPackets: 2_000n,
  inErrors: 0,
  outErrors: 0,
  inDiscards: 0,
  outDiscards: 0,
  fcsErrors: 0,
  lateCollisions: 0,
  ...more,
});
