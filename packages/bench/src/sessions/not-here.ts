/** A contestant that cannot run on this machine: said, and no failure of ours. */
export class NotHere extends Error {
  override readonly name = 'NotHere'
}
