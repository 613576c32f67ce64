import wabt from 'wabt'

const { parseWat } = await wabt()

/** The bytes of a module that is written as text. */
export function wat(text: string): Uint8Array {
  const module = parseWat('module.wat', text, {
    exceptions: true,
    memory64: true,
    threads: true,
    reference_types: true,
    multi_memory: true,
  } as never)
  try {
    return module.toBinary({}).buffer
  } finally {
    module.destroy()
  }
}
