import { get, key, n, namesIn, nested, put, type Step, s, update } from "./steps.ts";

/** Transactions, expressions, numbers and limits in their corners. Every case has partition keys of its own. */
export const expressionCases: Readonly<Record<string, readonly Step[]>> = {
  transactions: [
    [
      "TransactWriteItems",
      {
        TransactItems: [
          { Put: { TableName: "things", Item: { ...key("t1"), count: n(1) } } },
          {
            Update: {
              TableName: "things",
              Key: key("t2"),
              UpdateExpression: "ADD #c :one",
              ExpressionAttributeNames: { "#c": "count" },
              ExpressionAttributeValues: { ":one": n(1) },
            },
          },
          { Delete: { TableName: "things", Key: key("t3") } },
          {
            ConditionCheck: { TableName: "things", Key: key("t4"), ConditionExpression: "attribute_not_exists(pk)" },
          },
        ],
      },
    ],
    [
      "TransactWriteItems",
      {
        TransactItems: [
          { Put: { TableName: "things", Item: { ...key("t1"), count: n(2) } } },
          {
            ConditionCheck: {
              TableName: "things",
              Key: key("t2"),
              ConditionExpression: "attribute_not_exists(pk)",
              ReturnValuesOnConditionCheckFailure: "ALL_OLD",
            },
          },
          { Delete: { TableName: "things", Key: key("t4"), ConditionExpression: "attribute_exists(pk)" } },
        ],
      },
    ],
    [
      "TransactGetItems",
      { TransactItems: ["t1", "t2", "t3"].map((pk) => ({ Get: { TableName: "things", Key: key(pk) } })) },
    ],
    [
      "TransactGetItems",
      {
        TransactItems: [
          {
            Get: {
              TableName: "things",
              Key: key("t1"),
              ProjectionExpression: "#c",
              ExpressionAttributeNames: { "#c": "count" },
            },
          },
        ],
        ReturnConsumedCapacity: "TOTAL",
      },
    ],
    [
      "TransactWriteItems",
      {
        TransactItems: [
          { Delete: { TableName: "things", Key: key("t1") } },
          { Put: { TableName: "things", Item: key("t1") } },
        ],
      },
    ],
    [
      "TransactWriteItems",
      { TransactItems: [{ Delete: { TableName: "things", Key: key("t1") } }], ReturnConsumedCapacity: "TOTAL" },
    ],
    ["TransactWriteItems", { TransactItems: [] }],
    ["TransactWriteItems", { TransactItems: [{ Put: { TableName: "absent", Item: key("t1") } }] }],
  ],
  "places in lists": [
    put("list", { list: { L: [n(0), n(1), { M: { deep: { L: [s("x"), s("y")] } } }, n(3)] } }),
    get("list", { ProjectionExpression: "list[2].deep[1], list[0], list[9]" }),
    update("list", "SET list[9] = :x, list[1] = list[0]", { ":x": s("end") }, { ReturnValues: "UPDATED_NEW" }),
    update("list", "REMOVE list[0], list[2].deep[0], list[3]", undefined, { ReturnValues: "ALL_NEW" }),
    update("list", "SET list[1].deep[0] = :x REMOVE list[7]", { ":x": s("z") }, { ReturnValues: "UPDATED_OLD" }),
    update("list", "SET list.a = :x", { ":x": s("z") }),
    update("list", "SET list[0].a = :x", { ":x": s("z") }),
    update(
      "list",
      "SET longer = list_append(:x, list), l = if_not_exists(l, list_append(list, :x))",
      { ":x": { L: [s("new")] } },
      { ReturnValues: "ALL_NEW" },
    ),
    update("list", "SET a = list_append(pk, :x)", { ":x": { L: [] } }),
    get("list", { ProjectionExpression: "list[1], list[1].deep" }),
    get("list", { ProjectionExpression: "list[x]" }),
  ],
  "numbers beyond a double": [
    put("numbers", {
      big: n("12345678901234567890123456789012345678"),
      small: n("1.00000000000000000000000000000000000001"),
      tenth: n("0.1"),
      set: { NS: ["1e3", "123456789012345678901"] },
    }),
    update(
      "numbers",
      "SET big = big - :one, small = small + small, tenth = tenth + :t",
      { ":one": n(1), ":t": n("0.2") },
      { ReturnValues: "ALL_NEW" },
    ),
    update(
      "numbers",
      "ADD #s :more",
      { ":more": { NS: ["1000", "7"] } },
      { ExpressionAttributeNames: { "#s": "set" } },
    ),
    update(
      "numbers",
      "DELETE #s :x",
      { ":x": { NS: ["123456789012345678901.0"] } },
      {
        ExpressionAttributeNames: { "#s": "set" },
        ReturnValues: "ALL_NEW",
      },
    ),
    update(
      "numbers",
      "SET hit = :t",
      { ":t": n("0.3"), ":big": n("12345678901234567890123456789012345677.0") },
      {
        ConditionExpression: "tenth = :t AND big = :big AND big > :t",
        ReturnValues: "UPDATED_NEW",
      },
    ),
    ...[
      "1E-130",
      "9.9999999999999999999999999999999999999E+125",
      "-0",
      "007",
      "1e126",
      "1e-131",
      "",
      "1 ",
      "0x1",
      "+5",
    ].map((N): Step => put("number", { N: { N } }, { ReturnValues: "ALL_OLD" })),
    ["PutItem", { Item: { ...key("number"), n: n("123456789012345678901234567890123456789") } }],
    get("number"),
  ],
  "what is updated and answered": [
    update("answers", "SET a = :x, b = :x", { ":x": n(1) }, { ReturnValues: "UPDATED_OLD" }),
    update("answers", "SET a = :y REMOVE b", { ":y": n(2) }, { ReturnValues: "UPDATED_OLD" }),
    update("answers", "SET a = :y REMOVE b", { ":y": n(2) }, { ReturnValues: "UPDATED_NEW" }),
    update("answers", "REMOVE a", undefined, { ReturnValues: "UPDATED_NEW" }),
    put("answers", {}, { ReturnValues: "ALL_NEW" }),
    put("answers", {}, { ReturnValues: "SOMETHING" }),
  ],
  "values of every type in conditions": [
    put("types", {
      text: s("müde"),
      bytes: { B: "AAECAw==" },
      both: { BS: ["AQ==", "Ag=="] },
      numbers: { NS: ["1", "2"] },
      map: { M: { a: n(1), b: { L: [n(2)] } } },
      nothing: { NULL: true },
    }),
    ...(
      [
        ["size(#text) = :five", { ":five": n(5) }],
        ["size(bytes) = :four AND size(both) = :two AND size(#map) = :two", { ":four": n(4), ":two": n(2) }],
        ["size(nothing) = :one", { ":one": n(1) }],
        ["size(absent) = :one OR attribute_not_exists(absent)", { ":one": n(1) }],
        ["begins_with(bytes, :b)", { ":b": { B: "AAE=" } }],
        ["begins_with(bytes, :n)", { ":n": n(1) }],
        ["contains(bytes, :b) AND contains(both, :c)", { ":b": { B: "AQI=" }, ":c": { B: "Ag==" } }],
        ["contains(numbers, :n)", { ":n": n("2.0") }],
        ["contains(#map.b, :n)", { ":n": n(2) }],
        ["#map = :m", { ":m": { M: { b: { L: [n(2)] }, a: n("1.0") } } }],
        ["both = :b", { ":b": { BS: ["Ag==", "AQ=="] } }],
        ["bytes BETWEEN :a AND :b", { ":a": { B: "AA==" }, ":b": { B: "AQ==" } }],
        ["attribute_type(both, :t)", { ":t": s("BS") }],
        ["attribute_type(both, :t)", { ":t": s("XX") }],
        ["attribute_exists(#map.b[0]) AND NOT attribute_exists(#map.b[1])", undefined],
        ["nothing = :null AND nothing <> :n", { ":null": { NULL: true }, ":n": n(1) }],
        ["#text IN (:a, :b) OR (#text > :a AND #text < :b)", { ":a": s("a"), ":b": s("z") }],
        ["name = :a", { ":a": s("a") }],
        ["unknown(#text)", undefined],
        ["", undefined],
        ["#text", undefined],
      ] as const
    ).map(([condition, values], index) =>
      update(
        "types",
        `SET r${index} = :set`,
        { ":set": n(index), ...values },
        {
          ConditionExpression: condition,
          ExpressionAttributeNames: namesIn(condition, { "#text": "text", "#map": "map" }),
        },
      ),
    ),
    get("types"),
  ],
  "limits of keys and items": [
    ["PutItem", { Item: key("k".repeat(2_048)) }],
    ["PutItem", { Item: key("k".repeat(2_049)) }],
    ["PutItem", { Item: key("k", "s".repeat(1_024)) }],
    ["PutItem", { Item: key("k", "s".repeat(1_025)) }],
    ["PutItem", { Item: { ...key("k"), shard: s("ü".repeat(1_024)) } }],
    ["PutItem", { Item: { ...key("k"), shard: s("ü".repeat(1_025)) } }],
    ["PutItem", { Item: { ...key("k"), shard: s("") } }],
    ["PutItem", { Item: { ...key("k"), two: { S: "x", N: "1" } } }],
    ["PutItem", { Item: { ...key("k"), none: {} } }],
    ["PutItem", { Item: { ...key("k"), no: { NULL: false } } }],
    ["PutItem", { Item: { ...key("k"), deep: nested(31) } }],
    ["PutItem", { Item: { ...key("k"), deep: nested(33) } }],
    ["Query", { KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": s("k") }, Limit: 0 }],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p AND sk BETWEEN :b AND :a",
        ExpressionAttributeValues: { ":p": s("k"), ":a": s("1"), ":b": s("2") },
      },
    ],
    [
      "Query",
      {
        KeyConditionExpression: "pk = :p",
        FilterExpression: "sk = :p",
        ExpressionAttributeValues: { ":p": s("k") },
      },
    ],
    ["Query", { KeyConditionExpression: "pk < :p", ExpressionAttributeValues: { ":p": s("k") } }],
    [
      "Query",
      {
        KeyConditionExpression: "(sk > :a) AND (pk = :p)",
        ExpressionAttributeValues: { ":p": s("k"), ":a": s("a") },
        ProjectionExpression: "sk",
      },
    ],
    [
      "Query",
      {
        IndexName: "due",
        KeyConditionExpression: "due = :p",
        ExpressionAttributeValues: { ":p": s("k") },
        Select: "ALL_ATTRIBUTES",
      },
    ],
  ],
};
