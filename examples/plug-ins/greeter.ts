// A plug-in in TypeScript, which its author type-checks against host-api.ts. Its types are the host's, too.
import type { Host } from './host-api.ts'

declare const host: Host

export interface Person {
  readonly name: string
  readonly language: 'en' | 'de'
}

export async function greet(person: Person): Promise<string> {
  const word = await host.word(person.language)
  return `${word}, ${person.name}!`
}

export function count(people: readonly Person[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { language } of people) counts[language] = (counts[language] ?? 0) + 1
  return counts
}
