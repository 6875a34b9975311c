import 'element-plus/theme-chalk/el-message.css'
import { ElMessage } from 'element-plus'
import { explain, said } from './said/said'

/** The bar on top of the page stays free: what is said may be about what is there. */
const belowBar = 58

/** A short word that something was done. */
export const told = (message: string) => ElMessage({ message, type: 'success', duration: 2500, grouping: true, offset: belowBar })

/** What was done, and is not as it should be. */
export const warned = (problem: { code: string; message: string }) => ElMessage({ message: said(problem), type: 'warning', duration: 8000, showClose: true, grouping: true, offset: belowBar })

/** What went wrong, and how to mend it. */
export function complain(error: unknown): void {
  ElMessage({ message: explain(error), type: 'error', duration: 6000, showClose: true, grouping: true, offset: belowBar })
}
