// Keys of WireGuard: 32 bytes, in base64 where people see them.
//
// A secret key has no text of its own: format() gives a fingerprint. Whoever needs the bytes asks
// for them.

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plumbline {

inline constexpr std::size_t key_size = 32;

class PublicKey {
 public:
  /// All zeros.
  PublicKey() = default;

  /// 44 characters of base64, the only ones that stand for these bytes.
  static std::optional<PublicKey> parse(std::string_view text);
  /// Any other size than 32: nothing.
  static std::optional<PublicKey> from_bytes(std::span<const std::byte> bytes);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] bool is_zero() const { return *this == PublicKey(); }

  auto operator<=>(const PublicKey&) const = default;

 private:
  std::array<std::byte, key_size> bytes_{};
};

[[nodiscard]] std::string format(const PublicKey& key);

/// A private or preshared key. Forgotten when it goes.
class SecretKey {
 public:
  /// All zeros, which the kernel takes for no key.
  SecretKey() = default;
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  static std::optional<SecretKey> parse(std::string_view text);
  static std::optional<SecretKey> from_bytes(std::span<const std::byte> bytes);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] bool is_zero() const { return *this == SecretKey(); }
  /// As a private key is used and kept by the kernel (RFC 7748, section 5).
  [[nodiscard]] SecretKey clamped() const;

  bool operator==(const SecretKey&) const = default;

 private:
  std::array<std::byte, key_size> bytes_{};
};

/// `(secret 1a2b3c4d)`: the start of its SHA-256.
[[nodiscard]] std::string format(const SecretKey& key);

/// X25519 of the private key and the base point.
[[nodiscard]] PublicKey public_key_of(const SecretKey& key);

}  // namespace plumbline
