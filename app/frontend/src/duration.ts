/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. Tenths only below ten seconds, if asked. */
export function duration(milliseconds: number, { tenths = false } = {}): string {
  const ms = Math.max(0, milliseconds);
  if (tenths && ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  const shown = first === -1 ? units.slice(-1) : units.slice(first, first + 2);
  let rest = seconds;
  return shown
    .map(([size, unit]) => {
      const count = Math.floor(rest / size);
      rest %= size;
      return `${count} ${unit}`;
    })
    .filter((part, index) => index === 0 || !part.startsWith('0 '))
    .join(' ');
}
