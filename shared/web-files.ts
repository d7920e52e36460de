/** What the build leaves for the function `web`: the dashboard's files. */

/** Content of a file in each encoding, as base64. */
export interface WebFile {
  readonly type: string;
  /** Of the content, quoted as the header wants it. */
  readonly etag: string;
  readonly identity: string;
  readonly gzip: string;
  readonly br: string;
}

export interface WebFiles {
  /** By path: `/index.html`, `/icon.svg`, `/assets/<name>-<hash>.js`. */
  readonly files: Readonly<Record<string, WebFile>>;
  /** Content-Security-Policy of the page. */
  readonly policy: string;
}
