// Functions of the host, checked as a request from the network would be, and what becomes of a call that is not allowed.
import { Sandbox } from 'confine-sandbox'

const stock = new Map([
  ['apple', 4],
  ['pear', 0],
])

await using sbx = new Sandbox({
  runtime: 'jsisolate-confine-runtime',
  globals: {
    stock: {
      async count(name) {
        if (typeof name !== 'string' || !stock.has(name)) throw Object.assign(new RangeError('no such fruit'), { code: 'NO_FRUIT' })
        return stock.get(name)
      },
    },
  },
})
const program = await sbx.execContainer({
  source: `
    exports.inStock = async (names) => {
      const found = []
      for (const name of names) {
        try {
          if ((await stock.count(name)) > 0) found.push(name)
        } catch (error) {
          found.push(name + ': ' + error.code)
        }
      }
      return found
    }
    exports.reachOut = async () => [typeof fetch, await stock.count('apple')]`,
})

console.log(await program.call('inStock', [['apple', 'pear', 'plum']]))
console.log(await program.call('reachOut'))
