#include "plumbline/base/sha256.hpp"

#include <openssl/sha.h>

namespace plumbline {

Sha256 sha256(std::string_view bytes) {
  Sha256 hash{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  return hash;
}

std::string sha256_hex(std::string_view bytes, std::size_t digits) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : sha256(bytes)) {
    text += hex[byte >> 4U];
    text += hex[byte & 15U];
  }
  text.resize(digits);
  return text;
}

}  // namespace plumbline
