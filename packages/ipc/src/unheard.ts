/**
 * The same promise, whose rejection nobody has to handle. The other side decides when a promise is rejected, and an
 * unhandled rejection ends a process: the guest must not be able to do that to a host that looked away.
 */
export function unheard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
