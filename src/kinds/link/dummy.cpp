// dummy links: whatever is sent to one is gone (drivers/net/dummy.c).

#include "type.hpp"

namespace plumbline::detail {

namespace {

class Dummy final : public LinkType {
 public:
  constexpr Dummy() : LinkType(LinkKind::dummy) {}
};

const Dummy dummy;

}  // namespace

const LinkType& dummy_type() { return dummy; }

}  // namespace plumbline::detail
