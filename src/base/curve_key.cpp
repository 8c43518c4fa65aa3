#include "plumbline/base/curve_key.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <memory>

#include "plumbline/base/sha256.hpp"

namespace plumbline {

namespace {

using KeyBytes = std::array<std::byte, key_size>;

constexpr std::size_t text_size = 44;

/// With the 0 that OpenSSL writes behind it.
using KeyText = std::array<unsigned char, text_size + 1>;

const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

KeyText encode(std::span<const std::byte> bytes) {
  KeyText text{};
  EVP_EncodeBlock(text.data(), raw(bytes.data()), static_cast<int>(bytes.size()));
  return text;
}

std::string_view view_of(const KeyText& text) {
  return {reinterpret_cast<const char*>(text.data()), text_size};
}

/// What encode() makes of a key and nothing else: OpenSSL takes white space around it, and any bits
/// that are left over.
std::optional<KeyBytes> decode(std::string_view text) {
  if (text.size() != text_size) return std::nullopt;
  // Of whole groups: what `=` stands for are bytes too.
  std::array<std::byte, text_size / 4 * 3> whole{};
  KeyBytes bytes{};
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(whole.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  std::copy_n(whole.begin(), bytes.size(), bytes.begin());
  KeyText again = encode(bytes);
  const bool same = size == static_cast<int>(whole.size()) && view_of(again) == text;
  OPENSSL_cleanse(whole.data(), whole.size());
  OPENSSL_cleanse(again.data(), again.size());
  return same ? std::optional(bytes) : std::nullopt;
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

}  // namespace

std::optional<PublicKey> PublicKey::parse(std::string_view text) {
  const auto bytes = decode(text);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::optional<PublicKey> PublicKey::from_bytes(std::span<const std::byte> bytes) {
  PublicKey key;
  if (bytes.size() != key.bytes_.size()) return std::nullopt;
  std::ranges::copy(bytes, key.bytes_.begin());
  return key;
}

std::string format(const PublicKey& key) { return std::string(view_of(encode(key.bytes()))); }

SecretKey::~SecretKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

std::optional<SecretKey> SecretKey::parse(std::string_view text) {
  auto bytes = decode(text);
  if (!bytes) return std::nullopt;
  auto key = from_bytes(*bytes);
  OPENSSL_cleanse(bytes->data(), bytes->size());
  return key;
}

std::optional<SecretKey> SecretKey::from_bytes(std::span<const std::byte> bytes) {
  SecretKey key;
  if (bytes.size() != key.bytes_.size()) return std::nullopt;
  std::ranges::copy(bytes, key.bytes_.begin());
  return key;
}

SecretKey SecretKey::clamped() const {
  SecretKey key = *this;
  key.bytes_.front() &= std::byte{0xf8};
  key.bytes_.back() &= std::byte{0x7f};
  key.bytes_.back() |= std::byte{0x40};
  return key;
}

std::string format(const SecretKey& key) {
  const auto bytes = key.bytes();
  const std::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return "(secret " + sha256_hex(raw, 8) + ")";
}

PublicKey public_key_of(const SecretKey& key) {
  // Nothing of the host's configuration of OpenSSL matters here, and this layer reads no files.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  const std::unique_ptr<EVP_PKEY, FreeKey> pair(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_X25519, nullptr, reinterpret_cast<const unsigned char*>(key.bytes().data()),
      key_size));
  std::array<std::byte, key_size> bytes{};
  std::size_t size = bytes.size();
  const bool done = pair != nullptr &&
                    EVP_PKEY_get_raw_public_key(
                        pair.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size) == 1;
  assert(done);  // every build of OpenSSL has X25519
  static_cast<void>(done);
  return *PublicKey::from_bytes(bytes);
}

}  // namespace plumbline
