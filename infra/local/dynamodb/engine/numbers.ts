/**
 * DynamoDB's numbers: decimal, with up to 38 significant digits (API Reference, `AttributeValue`). A number that a double
 * holds exactly is a JavaScript number, which nearly all are; any other is an `ExactNumber`. So equal numbers are always of
 * the same kind.
 */
import { invalid } from "./refusal.ts";

/** A number that a double cannot hold, as text without exponent and without needless zeros. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Numeric = number | ExactNumber;

/** The number 0.`digits` x 10^`exponent`. Zero has no digits. */
interface Decimal {
  readonly isNegative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const MAX_DIGITS = 38;
/** Of 9.99…E+125 and of 1E-130, written as 0.1 x 10^exponent. */
const LARGEST_EXPONENT = 126;
const SMALLEST_EXPONENT = -129;
/** A double holds any decimal of that many digits exactly. */
const SURE_DIGITS = 15;

const SMALL_INTEGER = /^(?:0|-?[1-9]\d{0,14})$/;
const NUMBER = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;

/** @throws ValidationException for text that is no number, or one outside DynamoDB's range */
export function parseNumber(text: string): Numeric {
  if (SMALL_INTEGER.test(text)) return Number(text);
  return numeric(decimalOf(text));
}

/** The number as DynamoDB writes it, without exponent. */
export function numberText(number: Numeric): string {
  if (typeof number !== "number") return number.text;
  const text = String(number);
  return text.includes("e") ? plain(decimalOf(text)) : text;
}

/** @param sign 1 to add, -1 to subtract */
export function sum(one: Numeric, sign: 1 | -1, other: Numeric): Numeric {
  if (Number.isSafeInteger(one) && Number.isSafeInteger(other)) {
    const result = (one as number) + sign * (other as number);
    if (Number.isSafeInteger(result)) return result;
  }
  const { left, right, unit } = inOneUnit(one, other);
  return numeric(decimalOf(`${left + BigInt(sign) * right}e${unit}`));
}

export function compareNumbers(one: Numeric, other: Numeric): number {
  if (typeof one === "number" && typeof other === "number") return one < other ? -1 : one > other ? 1 : 0;
  const { left, right } = inOneUnit(one, other);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** One byte, one more for each two digits (those of the pairs that begin at the point), and one for a minus sign. */
export function numberBytes(number: Numeric): number {
  if (number === 0) return 1;
  if (Number.isSafeInteger(number)) {
    let rest = Math.abs(number as number);
    while (rest % 100 === 0) rest /= 100;
    let pairs = 0;
    for (; rest >= 1; rest /= 100) pairs++;
    return 1 + pairs + ((number as number) < 0 ? 1 : 0);
  }
  const { isNegative, digits, exponent } = decimalOf(numberText(number));
  const shift = exponent % 2 === 0 ? 0 : 1;
  return 1 + Math.ceil((digits.length + shift) / 2) + (isNegative ? 1 : 0);
}

function decimalOf(text: string): Decimal {
  const found = NUMBER.exec(text);
  const [, sign, whole = "", fraction = "", exponent = "0"] = found ?? [];
  const all = whole + fraction;
  if (all === "") throw invalid(`The parameter cannot be converted to a numeric value: ${text}`);
  const digits = all.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  return {
    isNegative: sign === "-" && significant !== "",
    digits: significant,
    exponent: significant === "" ? 0 : whole.length - (all.length - digits.length) + Number(exponent),
  };
}

function numeric(decimal: Decimal): Numeric {
  const { digits, exponent } = decimal;
  if (digits.length > MAX_DIGITS) throw invalid("Attempting to store more than 38 significant digits in a Number");
  if (exponent > LARGEST_EXPONENT)
    throw invalid("Number overflow. Attempting to store a number with magnitude larger than supported range");
  if (exponent < SMALLEST_EXPONENT)
    throw invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range");
  const text = plain(decimal);
  const double = Number(text);
  return digits.length <= SURE_DIGITS || numberText(double) === text ? double : new ExactNumber(text);
}

function plain({ isNegative, digits, exponent }: Decimal): string {
  const sign = isNegative ? "-" : "";
  if (digits === "") return "0";
  if (exponent <= 0) return `${sign}0.${"0".repeat(-exponent)}${digits}`;
  if (exponent >= digits.length) return sign + digits.padEnd(exponent, "0");
  return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
}

/** Both numbers in units of 10^unit, the largest in which both are whole. */
function inOneUnit(one: Numeric, other: Numeric): { left: bigint; right: bigint; unit: number } {
  const decimals = [one, other].map((number) => decimalOf(numberText(number)));
  const unit = Math.min(...decimals.map(({ digits, exponent }) => exponent - digits.length));
  const [left, right] = decimals.map(({ isNegative, digits, exponent }) => {
    const size = BigInt(digits || "0") * 10n ** BigInt(exponent - digits.length - unit);
    return isNegative ? -size : size;
  });
  return { left: left!, right: right!, unit };
}
