/** npm abstract-confine-runtime 0.4 is untyped; these are its exports. */
declare module 'abstract-confine-runtime' {
  export const AbstractConfineRuntime: unknown
  export const APIDescription: unknown
  export const APIObject: unknown
  export const APIMethod: unknown
  export const MethodNotFound: unknown
}
