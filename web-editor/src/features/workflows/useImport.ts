import { useQueryClient } from '@tanstack/vue-query'
import { ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { ApiProblem, type DocumentProblem } from '@/api/problem'
import { complain, told } from '@/ui/notify'
import { said } from '@/ui/said/said'
import { createWorkflow, workflowsKey } from './api'

/** A file that was not taken, and why. */
export interface Refused {
  file: string
  detail: string
  problems: DocumentProblem[]
}

/** The largest text that the server takes; a bigger file is no workflow. */
const largest = 1024 * 1024

/** Takes files that somebody dropped or chose, each as a workflow. */
export function useImport() {
  const { t } = useI18n()
  const queries = useQueryClient()
  const refused = ref<Refused[]>([])

  async function take(files: Iterable<File>): Promise<void> {
    refused.value = []
    for (const file of files) {
      try {
        if (file.size > largest) throw new ApiProblem(413, 'too_large', `${file.name} is larger than 1 MiB.`)
        const { workflow } = await createWorkflow(await file.text())
        told(t('workflows.imported', { name: workflow.name }))
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.status === 0) complain(error)
        else refused.value.push({ file: file.name, detail: said(error), problems: error.problems })
      }
    }
    await queries.invalidateQueries({ queryKey: workflowsKey })
  }

  return { take, refused }
}
