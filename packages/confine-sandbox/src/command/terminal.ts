import type { Writable } from 'node:stream'
import { stripVTControlCharacters, styleText } from 'node:util'

/** Where a command writes. Results go to `out`, everything that is about them to `err`. */
export interface Terminal {
  readonly out: Writable
  readonly err: Writable
}

type Style = Parameters<typeof styleText>[0]

/** Colours a text where the stream is a terminal that wants it: NO_COLOR and FORCE_COLOR are obeyed. */
export function paint(stream: Writable, style: Style, text: string): string {
  return styleText(style, text, { stream: stream as NodeJS.WritableStream })
}

export function writeLine(stream: Writable, line = ''): void {
  stream.write(`${line}\n`)
}

export function writeJson(stream: Writable, value: unknown): void {
  writeLine(stream, JSON.stringify(value, undefined, 2).replace(steering, escapeCharacter))
}

/** What JSON leaves as it is and terminals obey: the second row of control characters, and what turns text around. */
const steering = /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** What a guest wrote, as one line that cannot steer a terminal. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
}

/** The same, line by line. */
export function harmlessLines(text: string): string {
  return text.split('\n').map(harmless).join('\n')
}

/** Rows with their columns below each other. */
export function table(rows: readonly (readonly string[])[], gap = '  '): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => visible(row[column]))))
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - visible(cell)))
      .join(gap)
      .trimEnd(),
  )
}

function visible(cell: string | undefined): number {
  return stripVTControlCharacters(cell ?? '').length
}

/** Breaks a text into lines of at most so many characters, at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** How far something has come, in one line that is written over; where there is no terminal nothing is written. */
export function progress(stream: Writable, what: string, total: number): { step(label: string): void; end(): void } {
  const isTerminal = (stream as Partial<NodeJS.WriteStream>).isTTY === true
  let done = 0
  const write = (text: string) => {
    if (isTerminal) stream.write(`\r\u001b[2K${text}`)
  }
  return {
    step: (label) => write(`${what} ${++done}/${total} ${label}`),
    end: () => write(''),
  }
}
