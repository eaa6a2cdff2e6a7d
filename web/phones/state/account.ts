/** How the account introduces itself on its profile page. */
export const ACCOUNT = {
  name: '桥医',
  wechatId: 'qiaoyi-local',
  description: '把县里的患者、村医和大医院的专家连到一起。不用出远门，在微信里就能请专家会诊。',
  kind: '服务号',
} as const
