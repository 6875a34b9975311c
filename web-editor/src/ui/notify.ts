import 'element-plus/theme-chalk/el-message.css'
import { ElMessage } from 'element-plus'
import { ApiProblem } from '@/api/problem'
import { i18n } from '@/i18n'

/** The bar on top of the page stays free: what is said may be about what is there. */
const belowBar = 58

/** A short word that something was done. */
export const told = (message: string) => ElMessage({ message, type: 'success', duration: 2500, grouping: true, offset: belowBar })

/** What went wrong, and how to mend it. */
export function complain(error: unknown): void {
  const text =
    error instanceof ApiProblem
      ? error.code === 'unreachable'
        ? i18n.global.t('problem.unreachable')
        : [error.message, error.remedy].filter(Boolean).join(' ')
      : error instanceof Error
        ? error.message
        : String(error)
  ElMessage({ message: text, type: 'error', duration: 6000, showClose: true, grouping: true, offset: belowBar })
}
