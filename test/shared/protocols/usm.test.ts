import { expect, test } from "vitest";
import {
  type Authentication,
  authenticationKey,
  decrypt,
  encrypt,
  isInTimeWindow,
  type Privacy,
  privacyKey,
} from "../../../shared/protocols/usm.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const engineId = hex("000000000000000000000002");

// RFC 3414, A.3.1 and A.3.2, and the new keys of A.5.1 and A.5.2. RFC 7860 has none: those of SHA-2 are computed with Python's hashlib.
test.each<[Authentication, string, string]>([
  ["MD5", "maplesyrup", "526f5eed9fcce26f8964c2930787d82b"],
  ["SHA", "maplesyrup", "6695febc9288e36282235fc7151f128497b38f3f"],
  ["MD5", "newsyrup", "87021d7bd9d101ba05ea6e3bf9d9bd4a"],
  ["SHA", "newsyrup", "78e2dcce79d59403b58c1bbaa5bff46391f1cd25"],
  ["SHA-224", "maplesyrup", "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674"],
  ["SHA-256", "maplesyrup", "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"],
  [
    "SHA-384",
    "maplesyrup",
    "3b298f16164a11184279d5432bf169e2d2a48307de02b3d3f7e2b4f36eb6f0455a53689a3937eea07319a633d2ccba78",
  ],
  [
    "SHA-512",
    "maplesyrup",
    "22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099ad1ea87a8db096714d9788bd544047c9021e4229ce27e4c0a69250adfcffbb0b",
  ],
])("the %s key of %s is localised", (auth, password, key) => {
  expect(authenticationKey(auth, password, engineId).toString("hex")).toBe(key);
});

// AES-256: draft-reeder-snmpv3-usm-3desede-00, appendix B, whose keys of 32 and 40 bytes begin so.
test.each<[Authentication, Privacy, string]>([
  ["SHA", "AES-128", "6695febc9288e36282235fc7151f1284"],
  ["SHA-256", "AES-128", "8982e0e549e866db361a6b625d84cccc"],
  ["SHA-256", "AES-256", "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"],
  ["MD5", "AES-256", "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12"],
  ["SHA", "AES-256", "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c"],
])("the privacy key of %s with %s", (auth, priv, key) => {
  expect(privacyKey(auth, priv, "maplesyrup", engineId).toString("hex")).toBe(key);
});

// NIST SP 800-38A, F.3.13 and F.3.17; the initial vector is boots, time and salt.
test.each<[Privacy, string, string]>([
  ["AES-128", "2b7e151628aed2a6abf7158809cf4f3c", "3b3fd92eb72dad20333449f8e83cfb4ac8a6"],
  [
    "AES-256",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    "dc7e84bfda79164b7ecd8486985d386039ff",
  ],
])("%s encrypts and decrypts in CFB mode", (priv, key, secret) => {
  const plain = hex("6bc1bee22e409f96e93d7e117393172aae2d");
  const at = { boots: 0x00010203, time: 0x04050607 };
  const salt = hex("08090a0b0c0d0e0f");
  expect(encrypt(priv, hex(key), at, salt, plain).toString("hex")).toBe(secret);
  expect(decrypt(priv, hex(key), at, salt, hex(secret))).toEqual(plain);
});

test.each([
  [{ boots: 3, time: 1000 }, { boots: 3, time: 1150 }, true],
  [{ boots: 3, time: 1000 }, { boots: 3, time: 1151 }, false],
  [{ boots: 3, time: 1000 }, { boots: 3, time: 849 }, false],
  [{ boots: 3, time: 1000 }, { boots: 4, time: 1000 }, false],
  [{ boots: 2 ** 31 - 1, time: 5 }, { boots: 2 ** 31 - 1, time: 5 }, false],
])("time window: %j and %j", (one, other, isInside) => {
  expect(isInTimeWindow(one, other)).toBe(isInside);
});
