/** What a heap keeps on its nodes: the index, so that any node can be removed. */
export interface HeapNode {
  place: number
}

/** A binary heap of nodes that know their place. A node is in one heap at a time; its order changes only outside of it. */
export interface Heap<T extends HeapNode> {
  push(node: T): void
  remove(node: T): void
  /** The node before all others; `undefined`: empty. */
  first(): T | undefined
  clear(): void
}

export function heap<T extends HeapNode>(isBefore: (a: T, b: T) => boolean): Heap<T> {
  let nodes: T[] = []

  function push(node: T): void {
    nodes.push(node)
    rise(node, nodes.length - 1)
  }

  function remove(node: T): void {
    const last = nodes.pop()
    if (last === undefined || last === node) return
    const parent = nodes[(node.place - 1) >> 1]
    if (node.place > 0 && parent !== undefined && isBefore(last, parent)) rise(last, node.place)
    else sink(last, node.place)
  }

  function rise(node: T, from: number): void {
    let place = from
    while (place > 0) {
      const parent = nodes[(place - 1) >> 1]
      if (parent === undefined || !isBefore(node, parent)) break
      settle(parent, place)
      place = (place - 1) >> 1
    }
    settle(node, place)
  }

  function sink(node: T, from: number): void {
    let place = from
    for (;;) {
      const left = nodes[2 * place + 1]
      const right = nodes[2 * place + 2]
      const child = left !== undefined && right !== undefined && isBefore(right, left) ? right : left
      if (child === undefined || !isBefore(child, node)) break
      const next = child.place
      settle(child, place)
      place = next
    }
    settle(node, place)
  }

  function settle(node: T, place: number): void {
    nodes[place] = node
    node.place = place
  }

  return {
    push,
    remove,
    first: () => nodes[0],
    clear: () => {
      nodes = []
    },
  }
}
