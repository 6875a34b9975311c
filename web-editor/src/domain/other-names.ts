/**
 * What people call a node type who know other tools, or say it in other words. They are for the search only: each node type has one name.
 * By the type without its version.
 */
const names: Readonly<Record<string, string>> = {
  approval: 'form human confirm ask question wait-for-approval formulaire humain valider',
  callback: 'wait-for-webhook resume external attendre',
  condition: 'if branch filter when else si filtre',
  'csv-read': 'spreadsheet excel parse tableur',
  'csv-write': 'spreadsheet excel export tableur',
  'date-time': 'clock now timestamp moment calendar heure',
  deploy: 'docker compose release container conteneur',
  email: 'mail smtp gmail outlook courriel',
  fail: 'stop error throw abort erreur',
  github: 'git issue pull-request',
  hash: 'crypto sha256 hmac md5',
  'html-extract': 'scrape css selector parse',
  http: 'request rest api curl fetch get post download graphql requete',
  llm: 'openai chatgpt gpt claude ai agent prompt ia',
  log: 'debug print console noop',
  'publish-event': 'emit trigger send event queue',
  rss: 'feed atom news flux',
  script: 'code function javascript js python lambda fonction',
  seen: 'deduplicate unique remove-duplicates new doublons',
  state: 'store variable memory counter database key-value redis variable compteur',
  switch: 'router case route multiple aiguillage',
  template: 'text jinja format string html markdown texte',
  transform: 'set edit fields map jq json filter sort merge aggregate split items modifier champs',
  wait: 'delay sleep pause timer attendre pause delai',
  workflow: 'execute subworkflow sub-workflow subflow call child sous-workflow',
}

/** The other names of a type such as `http@1`. */
export const otherNames = (uses: string): string => names[uses.replace(/@.*$/, '')] ?? ''
