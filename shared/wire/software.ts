/**
 * Finds the software's name and version in a greeting, for the fingerprint. The whole greeting would not do: many contain
 * a date, a host name or a connection id.
 */
import { printable } from "./cursor.ts";

/** A name, perhaps "server" or "ready", and a version with at least one dot. Four numbers are an address; two and a year are a date. */
const NAME_AND_VERSION =
  /\b([A-Za-z][A-Za-z0-9_-]{2,40})[ /_(-]{1,2}v?(?!\d{1,2}\.\d{1,2}\.(?:19|20)\d\d\b)(\d{1,5}(?:\.\d{1,6}){1,2}(?![\d.])[A-Za-z0-9_.+~-]{0,24})/;

/** Mail and file servers that name themselves without a version. */
const NAME_ALONE =
  /\b(Postfix|Exim|Sendmail|OpenSMTPD|Dovecot|Courier|Cyrus|Haraka|qmail|Microsoft ESMTP MAIL Service|Microsoft Exchange|Microsoft FTP Service|Pure-FTPd|ProFTPD|vsFTPd|FileZilla Server|gsmtp|InterNetNews|INN|Leafnode)\b/i;

/** "vsFTPd 3.0.3", "Postfix", or undefined when the text names nothing. */
export const softwareIn = (text: string): string | undefined => {
  const versioned = NAME_AND_VERSION.exec(text.slice(0, 512));
  if (versioned) return printable(`${versioned[1]} ${versioned[2]}`, 64);
  return NAME_ALONE.exec(text.slice(0, 512))?.[1];
};
