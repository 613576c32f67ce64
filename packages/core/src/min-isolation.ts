import { ConfineError, type PolicyPart, policyParts, type Walls } from '@confine-sandbox/contract'

/** How many layers must hold each part of the policy, each by itself. Parts that are left out have their default. */
export type MinIsolation = Readonly<Partial<Record<PolicyPart, number>>>

/** Two walls before what a guest would be after first: one can have a hole. */
const defaultMinIsolation: Readonly<Record<PolicyPart, number>> = Object.freeze({
  files: 2,
  network: 2,
  processes: 2,
  privileges: 1,
  syscalls: 1,
})

/**
 * @param most What the backend can reach at all: the default asks for no more. What the caller asks for stands as it is.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkMinIsolation(given: unknown, most?: Readonly<Record<PolicyPart, number>>): Readonly<Record<PolicyPart, number>> {
  const otherwise = most === undefined ? defaultMinIsolation : withinReach(most)
  if (given === undefined) return otherwise
  const parts: readonly string[] = policyParts
  const isRight =
    typeof given === 'object' &&
    given !== null &&
    Object.entries(given).every(([part, walls]) => parts.includes(part) && Number.isSafeInteger(walls) && walls >= 0)
  if (isRight) return { ...otherwise, ...given }
  throw new ConfineError(
    'ERR_CONFINE_BAD_OPTION',
    `The option minIsolation must be an object with numbers of walls, such as { files: 2 }; the parts are ${parts.join(', ')}`,
  )
}

function withinReach(most: Readonly<Record<PolicyPart, number>>): Readonly<Record<PolicyPart, number>> {
  const bar = (part: PolicyPart) => Math.min(defaultMinIsolation[part], most[part])
  return Object.fromEntries(policyParts.map((part) => [part, bar(part)])) as Record<PolicyPart, number>
}

/** What is missing to the bar, as one sentence; undefined when it is reached. */
export function shortfall(walls: Walls, wanted: Readonly<Record<PolicyPart, number>>): string | undefined {
  const short = policyParts.filter((part) => walls[part].length < wanted[part])
  if (short.length === 0) return undefined
  const parts = short.map((part) => `${part} by ${wanted[part]} (${walls[part].join(', ') || 'none'})`)
  return `This machine does not hold ${parts.join(', ')} walls`
}
