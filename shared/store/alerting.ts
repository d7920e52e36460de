/**
 * Alert policies and maintenance windows. All of a kind lie in one partition, which decisions read as a whole and with strong
 * consistency at each batch: nothing is remembered across batches, so no environment decides by an older copy for long.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { MaintenanceWindow } from "../rules/maintenance.ts";
import type { Policy } from "../rules/policies.ts";
import { createKeptStore, type Kept } from "./kept.ts";

export type StoredWindow = MaintenanceWindow & Kept & { readonly createdAt: string; readonly updatedAt: string };

export const createPolicyStore = (client: DynamoDBDocumentClient, tableName: string) =>
  createKeptStore<Policy>(client, tableName, "POLICY");
export const createWindowStore = (client: DynamoDBDocumentClient, tableName: string) =>
  createKeptStore<StoredWindow>(client, tableName, "WINDOW");
export type PolicyStore = ReturnType<typeof createPolicyStore>;
export type WindowStore = ReturnType<typeof createWindowStore>;
