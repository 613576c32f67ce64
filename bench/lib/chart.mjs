/** The promises as a picture: how each ratio stands to its target. Left of the line is kept, whatever the unit. */
export function chart(rows) {
  const bars = rows.flatMap((row) => row.parts?.map((part) => ({ ...part, what: `${row.what}: ${part.what}` })) ?? [row])
  const height = top + bars.length * rowHeight + 30
  const x = (share) => left + (Math.min(Math.max(Math.log10(share), -1.5), 1) + 1.5) * ((width - left - 30) / 2.5)
  const line = (share, label) =>
    `<line x1="${x(share)}" x2="${x(share)}" y1="${top - 8}" y2="${height - 26}" class="line"/><text x="${x(share)}" y="${height - 10}" class="tick">${label}</text>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Measured ratios against their targets">
<style>text{font:13px system-ui,sans-serif;fill:#57606a}.name{text-anchor:end}.tick{text-anchor:middle;font-size:11px}.line{stroke:#8884;stroke-width:1}.met{fill:#2da44e}.missed{fill:#cf222e}.value{font-size:11px}</style>
<text x="${x(1)}" y="${top - 16}" class="tick">target</text>
${[0.1, 0.3, 1, 3].map((share) => line(share, `${share}×`)).join('\n')}
${bars.map((bar, index) => row(bar, index, x)).join('\n')}
</svg>
`
}

const width = 1000
const left = 520
const top = 40
const rowHeight = 24

function row({ what, ratio, target, stretch, met }, index, x) {
  const y = top + index * rowHeight
  const name = `<text x="${left - 10}" y="${y + 13}" class="name">${escaped(what)}</text>`
  if (ratio === null) return `${name}<text x="${left}" y="${y + 13}" class="value">not measured</text>`
  // Above 1 is worse, whichever way the promise points.
  const share = stretch > target ? target / ratio : ratio / target
  const end = x(share)
  return `${name}<rect x="${left}" y="${y + 2}" width="${Math.max(2, end - left)}" height="14" rx="2" class="${met ? 'met' : 'missed'}"/><text x="${end + 6}" y="${y + 13}" class="value">${share.toFixed(2)}×</text>`
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
