import { expect, test } from 'vitest'
import { yuan } from './money'

test('amounts are grouped by thousands, and none of their digits is lost', () => {
  expect(yuan('0.00')).toBe('¥0.00')
  expect(yuan('35.50')).toBe('¥35.50')
  expect(yuan('1234.50')).toBe('¥1\u00a0234.50')
  expect(yuan('90071992547409931.25')).toBe('¥90\u00a0071\u00a0992\u00a0547\u00a0409\u00a0931.25')
  expect(yuan('-1234567.00')).toBe('−¥1\u00a0234\u00a0567.00')
})

test('what is no amount stays as it is', () => {
  expect(yuan('')).toBe('')
  expect(yuan('—')).toBe('—')
})
