/** What a node type is called while it is dragged from the palette. */
export const nodeTypeMime = 'application/x-windflow-node-type'
