// Without what is mistaken for something else when it is read aloud or copied by hand.
const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A first password to hand over: four groups of five, about 116 bits. */
export function firstPassword(random: (into: Uint32Array<ArrayBuffer>) => Uint32Array = (into) => crypto.getRandomValues(into)): string {
  const most = Math.floor(2 ** 32 / letters.length) * letters.length
  const draw = (): string => {
    for (;;) {
      const number = random(new Uint32Array(1))[0] ?? 0
      // What lies beyond would make some letters likelier than others.
      if (number < most) return letters[number % letters.length] as string
    }
  }
  return Array.from({ length: 4 }, () => Array.from({ length: 5 }, draw).join('')).join('-')
}
