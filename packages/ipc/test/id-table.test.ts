import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdTable } from '../src/id-table.ts'

// Few enough to meet again, and many that meet at one place.
const ids = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: 20 }).map((n) => n * 512 + 3),
  fc.maxSafeNat(),
)

test('it holds what a Map holds, whatever numbers there are', () => {
  const acts = fc.array(fc.tuple(fc.constantFrom('add', 'delete', 'get'), ids), { maxLength: 200 })
  fc.assert(
    fc.property(acts, (acts) => {
      const table = new IdTable<{ readonly id: number }>()
      const map = new Map<number, { readonly id: number }>()
      for (const [act, id] of acts) {
        if (act === 'delete') expect(table.delete(id)).toBe(map.delete(id))
        else if (act === 'add' && !map.has(id)) {
          map.set(id, { id })
          table.add(map.get(id) as { readonly id: number })
        }
        expect(table.get(id)).toBe(map.get(id))
        expect(table.size).toBe(map.size)
      }
      expect(table.all()).toEqual([...map.values()].sort((a, b) => a.id - b.id))
      table.clear()
      expect([table.size, table.all(), table.get(3)]).toEqual([0, [], undefined])
    }),
  )
})
