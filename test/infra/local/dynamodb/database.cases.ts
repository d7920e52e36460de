import { ALL, get, key, n, put, remove, type Step, s, update } from "./steps.ts";

/** What the stores ask for, and its edges. Every case has partition keys of its own. */
export const cases: Readonly<Record<string, readonly Step[]>> = {
  "an item written, overwritten and read": [
    get("a"),
    put("a", { revision: n(1) }, { ReturnValues: "ALL_OLD" }),
    put("a", { revision: n(2) }, { ReturnValues: "ALL_OLD" }),
    get("a", { ConsistentRead: true }),
    get("a", { ProjectionExpression: "revision, absent" }),
  ],
  "an identical item written again": [
    put("same", { tags: { SS: ["x", "y"] } }),
    put("same", { tags: { SS: ["y", "x"] } }),
  ],
  "an update that changes nothing": [
    put("idle", { revision: n(1) }),
    update("idle", "SET revision = :one", { ":one": n(1) }),
    update("idle", "REMOVE absent"),
  ],
  "an update that creates the item": [
    update("made", "ADD revision :one", { ":one": n(1) }, { ReturnValues: "ALL_NEW" }),
  ],
  "an update without changes that creates the item": [["UpdateItem", { Key: key("bare") }], get("bare")],
  "a deletion, and another of what is gone": [
    put("gone", { name: s("x") }),
    remove("gone", { ReturnValues: "ALL_OLD" }),
    // DynamoDB Local tells the capacity of this one even when it is not asked.
    remove("gone", { ReturnValues: "ALL_OLD", ReturnConsumedCapacity: "TOTAL" }),
  ],
  "every kind of value": [
    put("kinds", {
      number: n("1.50"),
      big: n("123456789012345678901234567890.12345678"),
      small: n("-1.5e-30"),
      binary: { B: "AAECAw==" },
      yes: { BOOL: true },
      nothing: { NULL: true },
      empty: s(""),
      list: { L: [n(1), { M: { deep: s("ü") } }, { L: [] }] },
      map: { M: {} },
      numbers: { NS: ["3", "1.0"] },
      binaries: { BS: ["AQ==", "Ag=="] },
    }),
    get("kinds"),
  ],
  "a condition that fails, with and without the item": [
    put("guard", { revision: n(3) }),
    put("guard", {}, { ConditionExpression: "attribute_not_exists(pk)" }),
    put(
      "guard",
      {},
      { ConditionExpression: "attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" },
    ),
    update(
      "guard",
      "SET revision = :next",
      { ":next": n(5), ":read": n(4) },
      { ConditionExpression: "revision = :read", ReturnValuesOnConditionCheckFailure: "ALL_OLD" },
    ),
    remove("guard", {
      ConditionExpression: "revision = :read",
      ExpressionAttributeValues: { ":read": n(4) },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    }),
    update(
      "nobody",
      "SET revision = :next",
      { ":next": n(5) },
      { ConditionExpression: "attribute_exists(pk)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" },
    ),
    get("guard"),
  ],
  "conditions in all forms that the stores use": [
    put("forms", { tick: n(10), name: s("abc"), list: { L: [n(1)] }, deleted: { NULL: true } }),
    update(
      "forms",
      "SET a = :x",
      { ":x": n(1), ":t": n(11) },
      { ConditionExpression: "attribute_not_exists(views) OR tick < :t" },
    ),
    update(
      "forms",
      "SET b = :x",
      { ":x": n(1), ":p": s("ab") },
      { ConditionExpression: "begins_with(#n, :p)", ExpressionAttributeNames: { "#n": "name" } },
    ),
    update(
      "forms",
      "SET c = :x",
      { ":x": n(1), ":null": s("NULL") },
      { ConditionExpression: "attribute_type(deleted, :null)" },
    ),
    update(
      "forms",
      "SET d = :x",
      { ":x": n(1), ":low": n(9), ":high": n(10) },
      {
        ConditionExpression: "tick BETWEEN :low AND :high AND size(#l) = :x",
        ExpressionAttributeNames: { "#l": "list" },
      },
    ),
    update(
      "forms",
      "SET e = :x",
      { ":x": n(1), ":one": n(9), ":two": n(10) },
      { ConditionExpression: "NOT tick IN (:one) AND tick IN (:one, :two)" },
    ),
    update("forms", "SET f = :x", { ":x": n(1) }, { ConditionExpression: "contains(list, :x)" }),
    update("forms", "SET g = :x", { ":x": n(1) }, { ConditionExpression: "tick <> :x AND NOT (tick = :x)" }),
    get("forms"),
  ],
  "updates of nested maps and lists": [
    put("nested", { views: { M: {} }, placements: { L: [s("a"), s("b")] }, count: n(1) }),
    update(
      "nested",
      "SET #v.#l = :view",
      { ":view": { M: { health: s("up"), tick: n(1) } } },
      { ExpressionAttributeNames: { "#v": "views", "#l": "eu-west-1" }, ReturnValues: "UPDATED_NEW" },
    ),
    update(
      "nested",
      "SET #v.#l.health = :h ADD #c :one",
      { ":h": s("down"), ":one": n(1) },
      { ExpressionAttributeNames: { "#v": "views", "#l": "eu-west-1", "#c": "count" }, ReturnValues: "ALL_NEW" },
    ),
    update(
      "nested",
      "SET placements = list_append(placements, :more), #c = if_not_exists(missing, #c) + :one",
      { ":more": { L: [s("c")] }, ":one": n(1) },
      { ExpressionAttributeNames: { "#c": "count" }, ReturnValues: "ALL_OLD" },
    ),
    update("nested", "REMOVE #v.#l, placements[0]", undefined, {
      ExpressionAttributeNames: { "#v": "views", "#l": "eu-west-1" },
      ReturnValues: "ALL_NEW",
    }),
    update("nested", "SET absent.inner = :x", { ":x": n(1) }),
  ],
  "sets that grow and shrink": [
    update("sets", "ADD locations :a", { ":a": { SS: ["x"] } }, { ReturnValues: "ALL_NEW" }),
    update("sets", "ADD locations :a", { ":a": { SS: ["x", "y"] } }, { ReturnValues: "ALL_NEW" }),
    update("sets", "DELETE locations :a", { ":a": { SS: ["x"] } }, { ReturnValues: "ALL_NEW" }),
    update("sets", "DELETE locations :a", { ":a": { SS: ["y"] } }, { ReturnValues: "ALL_NEW" }),
    update("sets", "ADD locations :a", { ":a": { SS: ["x"] } }),
    update("sets", "ADD locations :a", { ":a": { SS: ["x"] } }),
  ],
  "indexes follow their items": [
    put("i1", { shard: s("10#0"), name: s("one"), hidden: n(1), due: s("DUE#1"), at: s("2026-01-02") }),
    put("i2", { shard: s("10#0"), due: s("DUE#1"), at: s("2026-01-01") }),
    put("i3", { shard: s("10#0"), due: s("DUE#1") }),
    [
      "Query",
      {
        IndexName: "by-shard",
        KeyConditionExpression: "#s = :s",
        ExpressionAttributeNames: { "#s": "shard" },
        ExpressionAttributeValues: { ":s": s("10#0") },
      },
    ],
    [
      "Query",
      {
        IndexName: "due",
        KeyConditionExpression: "due = :d AND #at <= :t",
        ExpressionAttributeNames: { "#at": "at" },
        ExpressionAttributeValues: { ":d": s("DUE#1"), ":t": s("2026-01-01") },
      },
    ],
    update("i1", "SET #at = :t", { ":t": s("2025-01-01") }, { ExpressionAttributeNames: { "#at": "at" } }),
    update("i2", "REMOVE due"),
    remove("i3"),
    [
      "Query",
      { IndexName: "due", KeyConditionExpression: "due = :d", ExpressionAttributeValues: { ":d": s("DUE#1") } },
    ],
    [
      "Query",
      {
        IndexName: "by-shard",
        KeyConditionExpression: "#s = :s",
        ExpressionAttributeNames: { "#s": "shard" },
        ExpressionAttributeValues: { ":s": s("10#0") },
        ScanIndexForward: false,
      },
    ],
    put("i4", { shard: n(1) }),
    put("i5", { shard: { NULL: true } }),
  ],
  "a query that pages, forwards and backwards": [
    ...["001", "002", "003", "004"].map((sk): Step => ["PutItem", { Item: { ...key("page", sk), tick: n(sk) } }]),
    ["Query", { KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": s("page") }, Limit: 2 }],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p",
        ExpressionAttributeValues: { ":p": s("page") },
        Limit: 2,
        ExclusiveStartKey: key("page", "002"),
      },
    ],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p",
        ExpressionAttributeValues: { ":p": s("page") },
        Limit: 3,
        ScanIndexForward: false,
      },
    ],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p AND sk BETWEEN :a AND :b",
        ExpressionAttributeValues: { ":p": s("page"), ":a": s("002"), ":b": s("003") },
      },
    ],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p AND sk <= :b",
        ExpressionAttributeValues: { ":p": s("page"), ":b": s("003") },
        ScanIndexForward: false,
        Limit: 1,
      },
    ],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p AND begins_with(sk, :b)",
        ExpressionAttributeValues: { ":p": s("page"), ":b": s("00") },
        FilterExpression: "tick > :t",
        Select: "COUNT",
      },
    ],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p AND sk > :a",
        ExpressionAttributeValues: { ":p": s("page"), ":a": s("002"), ":t": n(3) },
        FilterExpression: "tick > :t",
        ProjectionExpression: "tick",
      },
    ],
    ["Query", { KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": s("nothing here") } }],
  ],
  batches: [
    [
      "BatchWriteItem",
      { RequestItems: { things: [{ PutRequest: { Item: key("b1") } }, { PutRequest: { Item: key("b2") } }] } },
    ],
    ["BatchGetItem", { RequestItems: { things: { Keys: [key("b1"), key("b2"), key("b3")], ConsistentRead: true } } }],
    [
      "BatchWriteItem",
      { RequestItems: { things: [{ DeleteRequest: { Key: key("b1") } }, { DeleteRequest: { Key: key("b3") } }] } },
    ],
    [
      "BatchWriteItem",
      { RequestItems: { things: [{ PutRequest: { Item: key("b1") } }, { DeleteRequest: { Key: key("b1") } }] } },
    ],
  ],
  "capacity of reads and writes": [
    put("cost", { name: s("x".repeat(1_500)) }, ALL),
    update("cost", "SET #s = :s", { ":s": s("20#0") }, { ...ALL, ExpressionAttributeNames: { "#s": "shard" } }),
    put("cost", { shard: s("20#0"), other: n(1) }, ALL),
    put("cost", { shard: s("20#0"), other: n(2) }, ALL),
    put("cost", { shard: s("20#1"), other: n(2) }, ALL),
    get("cost", ALL),
    get("cost", { ...ALL, ConsistentRead: true }),
    get("free", ALL),
    ["Query", { KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": s("cost") }, ...ALL }],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p",
        ExpressionAttributeValues: { ":p": s("cost") },
        ReturnConsumedCapacity: "TOTAL",
        ConsistentRead: true,
      },
    ],
    remove("cost", ALL),
    remove("cost", ALL),
  ],
  "what is refused": [
    ["PutItem", { Item: { pk: s("x") } }],
    ["PutItem", { Item: { pk: s(""), sk: s("x") } }],
    ["PutItem", { Item: { pk: n(1), sk: s("x") } }],
    ["PutItem", { Item: { ...key("x"), bad: n("abc") } }],
    ["PutItem", { Item: { ...key("x"), bad: { SS: [] } } }],
    ["PutItem", { Item: { ...key("x"), bad: { SS: ["a", "a"] } } }],
    ["PutItem", { Item: { ...key("x"), big: s("x".repeat(410_000)) } }],
    ["GetItem", { Key: { pk: s("x") } }],
    update("x", "SET pk = :x", { ":x": s("y") }),
    update("x", "SET name = :x", { ":x": s("y") }),
    update("x", "SET #n = :y", { ":x": s("y") }, { ExpressionAttributeNames: { "#n": "name" } }),
    update("x", "SET a = :x", { ":x": s("y"), ":unused": s("z") }),
    update("x", "SET a = b", undefined),
    update("x", "ADD #t :x", { ":x": s("y") }, { ExpressionAttributeNames: { "#t": "text" } }),
    ["Query", { KeyConditionExpression: "sk = :p", ExpressionAttributeValues: { ":p": s("page") } }],
    ["Query", { IndexName: "none", KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": s("page") } }],
    [
      "Query",
      {
        IndexName: "due",
        ConsistentRead: true,
        KeyConditionExpression: "due = :p",
        ExpressionAttributeValues: { ":p": s("page") },
      },
    ],
    ["GetItem", { TableName: "absent", Key: key("x") }],
  ],
};
