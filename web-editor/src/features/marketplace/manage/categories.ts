/** As the format of templates has them. */
export const categories = ['analytics', 'automation', 'communication', 'content', 'data', 'databases', 'development', 'files', 'media', 'messaging', 'monitoring', 'networking', 'productivity', 'security', 'web'] as const
