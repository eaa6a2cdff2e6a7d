/** Menus and templates of the official account, as the page compares them. */
export interface MenuButton {
  name: string
  key: string
  below?: MenuButton[]
}

export interface ComparedMenu {
  audience: string
  wanted: MenuButton[] | null
  live: MenuButton[] | null
  same: boolean
}

export interface Template {
  id: string
  exists: boolean | null
  title: string
  lacking: string[]
  unfilled: string[]
  good: boolean
}

export interface Need {
  kind: string
  purpose: string
  fields: string[]
  template: Template | null
  subscription: Template | null
}

export interface Templates {
  needs: Need[]
  recipients: { practitioner_id: string; name: string }[]
}

interface Leaf {
  path: string
  key: string
}

function leaves(menu: MenuButton[]): Leaf[] {
  return menu.flatMap((one) =>
    one.below?.length ? one.below.map((leaf) => ({ path: `${one.name} › ${leaf.name}`, key: leaf.key })) : [{ path: one.name, key: one.key }],
  )
}

/** What differs between the product's menu and the one that people see, a sentence each; none where they are the same. */
export function differences(menu: ComparedMenu): string[] {
  if (menu.same) return []
  if (!menu.wanted) return ['这个菜单产品里没有，发布后会被删掉。']
  if (!menu.live) return ['微信上还没有这个菜单，发布后才会出现。']
  const wanted = leaves(menu.wanted)
  const live = leaves(menu.live)
  const found = [
    ...wanted.filter((one) => !live.some((held) => held.path === one.path)).map((one) => `微信上缺少“${one.path}”。`),
    ...live.filter((one) => !wanted.some((held) => held.path === one.path)).map((one) => `微信上多了“${one.path}”。`),
    ...wanted
      .filter((one) => live.some((held) => held.path === one.path && held.key !== one.key))
      .map((one) => `“${one.path}”按下去做的事不一样。`),
  ]
  return found.length ? found : ['按钮的次序不一样。']
}

/** How a template stands, in words. */
export function standing(template: Template | null): { good: boolean; text: string } {
  if (!template) return { good: false, text: '没有设置编号' }
  if (template.exists === null) return { good: true, text: '已设置；这个公众号查不到模板列表，没法核对' }
  if (!template.exists) return { good: false, text: '微信上没有这个编号的模板' }
  const faults = [
    template.lacking.length ? `模板里没有这些字段：${template.lacking.join('、')}` : '',
    template.unfilled.length ? `模板多出的字段没有内容可填：${template.unfilled.join('、')}` : '',
  ].filter(Boolean)
  return faults.length ? { good: false, text: `${faults.join('；')}。请在微信公众平台换一个字段相符的模板` } : { good: true, text: '可以用' }
}
