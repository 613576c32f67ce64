// An untrusted program, as somebody else might have written it.
module.exports.addOne = (number) => number + 1

// `lookUpPrice` and `log` are functions of the host: they run there and answer with a promise.
module.exports.total = async (items) => {
  let total = 0
  for (const { name, count } of items) total += count * (await lookUpPrice(name))
  await log(`total of ${items.length} items: ${total}`)
  return total
}
