import { expect, it } from 'vitest';
import { duration } from './duration';

it.each([
  [-500, '0 s'],
  [999, '0 s'],
  [12_000, '12 s'],
  [60_000, '1 min'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
  [3_601_000, '1 h'],
  [356_400_000, '4 d 3 h'],
])('says %i ms as %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

it.each([
  [412, '0.4 s'],
  [9_949, '9.9 s'],
  [9_960, '9 s'],
  [12_400, '12 s'],
])('says %i ms with tenths as %s', (milliseconds, text) => {
  expect(duration(milliseconds, { tenths: true })).toBe(text);
});
