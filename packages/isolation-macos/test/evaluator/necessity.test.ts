import { describe, expect, test } from 'vitest'
import { type Decision, decide } from '../../src/evaluator/decide.ts'
import { type ReadRule, readProfile } from '../../src/evaluator/read-profile.ts'
import { profile } from '../../src/profile/profile.ts'
import { print } from '../../src/sbpl/expression.ts'
import { plain } from '../profile/inputs.ts'
import { hostileActs } from './hostile-acts.ts'
import { startupNeeds } from './startup-needs.ts'

const { text, parameters } = profile(plain)
const rules = readProfile(text, parameters)
const acts = [...hostileActs.map(([, act]) => act), ...startupNeeds.map(([, , act]) => act)]
const answers = (asked: readonly ReadRule[]) =>
  acts.map((act) => decide(asked, act)).map(({ action, signal }: Decision) => `${action} ${signal}`)

describe('without one rule of a plain profile', () => {
  test.each(rules.map((rule, index) => [print(rule.form).slice(0, 90).replaceAll('\n', ' '), index] as const))(
    '%s… something is answered otherwise',
    (_, index) => {
      expect(answers(rules.toSpliced(index, 1))).not.toEqual(answers(rules))
    },
  )

  test('its order decides nothing but that denials stand first', () => {
    const denials = rules.filter(({ action }) => action === 'deny')
    const allowances = rules.filter(({ action }) => action === 'allow')
    expect(answers([...denials, ...allowances.toReversed()])).toEqual(answers(rules))
  })
})
