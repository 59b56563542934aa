/** Why the lab cannot run on this machine: one line for the user, not a fault of the lab. */
export class LabUnavailable extends Error {
  name = 'LabUnavailable';
}
