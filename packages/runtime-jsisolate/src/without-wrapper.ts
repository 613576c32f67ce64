import type ivm from 'isolated-vm'

/**
 * What to say of a program that cannot be compiled within its wrapper: what is wrong with its own text. A brace that is missing
 * is noticed at one of the wrapper's, on a line that the program does not have.
 * @param error What was said of the program in its wrapper.
 * @param compileAlone Compiles the program's text.
 */
export function withoutWrapper(error: unknown, compileAlone: () => ivm.Script): unknown {
  try {
    compileAlone().release()
    return error
  } catch (alone) {
    return itsOwn(alone) ?? error
  }
}

/** The same for a text that is compiled elsewhere. */
export async function withoutWrapperLater(error: unknown, compileAlone: () => Promise<ivm.Script>): Promise<unknown> {
  try {
    const script = await compileAlone()
    script.release()
    return error
  } catch (alone) {
    return itsOwn(alone) ?? error
  }
}

/** These are allowed in a function, and so in a program. */
function itsOwn(alone: unknown): unknown {
  return /Illegal return|new\.target/.test(String(alone)) ? undefined : alone
}
