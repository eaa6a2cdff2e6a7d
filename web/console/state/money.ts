/** "1234.50" as ¥1 234.50, "-12.00" as −¥12.00. The text is never made a number: none of its digits may be lost. */
export function yuan(amount: string): string {
  const [, sign = '', whole = '', rest = ''] = /^(-?)(\d+)(\.\d+)?$/.exec(amount) ?? []
  if (!whole) return amount
  return `${sign && '−'}¥${whole.replace(/\B(?=(\d{3})+$)/g, '\u00a0')}${rest}`
}
