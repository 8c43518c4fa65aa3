// WireGuard as a link. Its keys and peers are a kind of their own: kinds/wireguard.hpp.

#include "type.hpp"

namespace plumbline::detail {

namespace {

class WireGuardLink final : public LinkType {
 public:
  constexpr WireGuardLink() : LinkType(LinkKind::wireguard) {}

  [[nodiscard]] bool has_mac() const override { return false; }
  /// The member is read with the files of keys that it names: spec/decode.cpp.
  void read_spec(const wire::Entry& /*entry*/, Link& /*link*/) const override {}
};

const WireGuardLink wireguard;

}  // namespace

const LinkType& wireguard_type() { return wireguard; }

}  // namespace plumbline::detail
