/** What a trace is written to: a stream of Node. */
export interface TraceOutput {
  readonly writableLength: number
  write(text: string): unknown
}

/** Writes the lines of a trace. What would pile up, because nobody reads, is counted instead, and told when there is room again. */
export function traceWriter(output: TraceOutput): (text: string) => void {
  let untold = 0
  return (text) => {
    if (output.writableLength > mostUnwritten) {
      untold += text.split('\n').length - 1
      return
    }
    output.write(untold === 0 ? text : `[...] ${untold} more lines, too many to be shown\n${text}`)
    untold = 0
  }
}

/** Bytes. */
const mostUnwritten = 1 << 20
