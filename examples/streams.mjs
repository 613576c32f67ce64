// Streams in both directions, with back-pressure: rows out of a host's stream, through the guest, and back.
import { Sandbox } from 'confine-sandbox'

let made = 0
async function* rows() {
  for (let id = 1; id <= 1_000; id++) {
    made++
    yield { id, price: id % 7 }
  }
}

await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime' })
const program = await sbx.execContainer({
  source: `
    exports.expensive = async function* (rows) {
      for await (const row of rows) if (row.price > 5) yield row.id
    }
    exports.sum = async (rows) => {
      let sum = 0
      for await (const { price } of rows) sum += price
      return sum
    }`,
})

console.log('sum', await program.call('sum', [rows()]))
made = 0
const first = []
for await (const id of await program.call('expensive', [rows()])) {
  first.push(id)
  // Leaving early stops the guest's generator, and that stops ours.
  if (first.length === 3) break
}
console.log('first', first, made < 1_000)
