#include "plumbline/base/digest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace plumbline {
namespace {

// From the authors' test vectors (test_fnv.c of the FNV reference code).
TEST(Digest, IsFnv1a) {
  EXPECT_EQ(Digest().value(), 0xcbf29ce484222325U);
  EXPECT_EQ(Digest().add("a").value(), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(Digest().add("foobar").value(), 0x85944171f73967e8U);
}

TEST(Digest, IsMadePieceByPiece) {
  EXPECT_EQ(Digest().add("foo").add("bar").value(), Digest().add("foobar").value());
  EXPECT_EQ(Digest().add(std::uint64_t{0x6867666564636261}).value(),
            Digest().add("abcdefgh").value());
}

TEST(Digest, OfABlockChangesWithEveryBitAndWithItsLength) {
  const std::string block = "twenty bytes of text";
  const std::uint64_t digest = Digest().add_block(block).value();
  EXPECT_EQ(Digest().add_block(std::string(block)).value(), digest);
  for (std::size_t bit = 0; bit < block.size() * 8; ++bit) {
    std::string other = block;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(Digest().add_block(other).value(), digest) << bit;
  }
  for (std::size_t size = 0; size < block.size(); ++size) {
    EXPECT_NE(Digest().add_block(block.substr(0, size)).value(), digest) << size;
  }
  EXPECT_NE(Digest().add_block(block + '\0').value(), digest);
}

}  // namespace
}  // namespace plumbline
