/** The figures of a suite as a table. */
export function figureLines(title, { figures, reference }) {
  const extras = ['callBack', 'thousandsPerSecond'].filter((name) => figures.some((figure) => name in figure))
  const head = ['', 'p50', 'p99', `× ${reference}`, ...extras.map((name) => extraNames[name])]
  const rows = figures.map((figure) => [
    figure.name,
    number(figure.p50),
    number(figure.p99),
    figure.ratio === undefined ? '' : number(figure.ratio),
    ...extras.map((name) => (name in figure ? number(figure[name]) : '')),
  ])
  return `\n${title}\n${table([head, ...rows])}`
}

/** The promises, and in words where they are not kept. */
export function promiseLines(rows) {
  const flat = rows.flatMap(
    (row) => row.parts?.map((part) => ({ ...part, what: `${row.what}: ${part.what}` })) ?? [{ sign: signOf(row), ...row }],
  )
  const lines = flat.map(({ what, ratio, sign, target, stretch, met }) => [
    met ? 'met' : ratio === null ? 'not measured' : 'MISSED',
    what,
    ratio === null ? '–' : number(ratio),
    `${sign} ${target}`,
    `${sign} ${stretch}`,
  ])
  const lost = flat.filter(({ met, ratio }) => !met && ratio !== null)
  const summary =
    lost.length === 0
      ? 'Every promise that was measured is kept.'
      : `We lose in ${lost.length} of ${flat.length}:\n${lost.map((row) => `  ${row.what}: ${number(row.ratio)} where ${row.sign} ${row.target} is promised`).join('\n')}`
  return `\nPromises: ratios against the reference of the same run\n${table([['', '', 'ratio', 'target', 'stretch'], ...lines])}\n\n${summary}`
}

const extraNames = { callBack: 'call back', thousandsPerSecond: 'k/s in flight' }

/** Throughputs promise a least, everything else a most. */
function signOf({ target, stretch }) {
  return stretch > target ? '≥' : '≤'
}

function number(value) {
  if (value === null) return '–'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3
  return value.toFixed(digits)
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const isText = (column) => rows.slice(1).some((row) => /^[A-Za-z]/.test(row[column]))
  const texts = widths.map((_, column) => isText(column))
  return rows
    .map((row) =>
      `  ${row.map((cell, column) => (texts[column] ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ')}`.trimEnd(),
    )
    .join('\n')
}
