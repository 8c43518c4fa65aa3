// ifb links: what tc(8) redirects to them they send back.

#include "type.hpp"

namespace plumbline::detail {

namespace {

class Ifb final : public LinkType {
 public:
  constexpr Ifb() : LinkType(LinkKind::ifb) {}

  [[nodiscard]] std::uint32_t most_in_queue() const override { return most_in_ptr_ring; }

  /// drivers/net/ifb.c has no ndo_set_mac_address(): a MAC is given at the making only.
  [[nodiscard]] bool is_another(const Link& have, const Link& want) const override {
    return differs(have.mac, want.mac);
  }
};

const Ifb ifb;

}  // namespace

const LinkType& ifb_type() { return ifb; }

}  // namespace plumbline::detail
