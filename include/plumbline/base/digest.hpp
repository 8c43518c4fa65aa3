// FNV-1a, 64 bits: a short number that tells values apart, the same in every release and on every
// machine, as it is kept on disk. No protection against whoever wants two values to have the same
// one; that is what sha256.hpp is for.

#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace plumbline {

class Digest {
 public:
  constexpr Digest& add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    return *this;
  }
  /// The lowest byte first.
  constexpr Digest& add(std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      add_byte(static_cast<unsigned char>(number >> shift));
    }
    return *this;
  }

  /// Not FNV-1a but some ten times as fast, for much: eight bytes at a time, in the machine's
  /// order, behind their number. A change within eight bytes always gives another value.
  Digest& add_block(std::string_view bytes) {
    add_word(bytes.size());
    std::uint64_t word = 0;
    for (; bytes.size() >= sizeof word; bytes.remove_prefix(sizeof word)) {
      std::memcpy(&word, bytes.data(), sizeof word);
      add_word(word);
    }
    word = 0;
    if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
    add_word(word);
    return *this;
  }

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }

 private:
  constexpr void add_byte(unsigned char byte) { add_word(byte); }
  constexpr void add_word(std::uint64_t word) {
    value_ ^= word;
    value_ *= 0x100000001b3;
  }

  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace plumbline
