/** In which order the pictures of a stack are fetched. */

/** The nearest first: the picture itself, then by distance, of two that are equally far the one ahead. */
export function loadingOrder(at: number, count: number, direction: 1 | -1): number[] {
  const order = [at]
  for (let distance = 1; distance < count; distance += 1) {
    for (const one of [at + distance * direction, at - distance * direction]) if (one >= 0 && one < count) order.push(one)
  }
  return order
}

/** As many of them as fit into so many bytes, one at least. */
export function thatFit(order: number[], sizeAt: (at: number) => number, budget: number): number[] {
  let taken = 0
  const end = order.findIndex((at) => (taken += sizeAt(at)) > budget)
  return end < 0 ? order : order.slice(0, Math.max(1, end))
}
