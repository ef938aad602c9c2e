#include "core/base/random.h"
#include "core/engine/kernels/panel_gemm.h"

#include <QTest>
#include <cmath>
#include <vector>

using namespace tempera;

namespace {

std::vector<float> numbers(std::size_t count, std::uint64_t stream) {
    RandomStream random(7, stream);
    std::vector<float> result(count);
    for (float& x : result)
        x = static_cast<float>(random.uniform() * 2 - 1);
    return result;
}

using Product = void (*)(const GemmCall&);

std::vector<Product> products() {
    std::vector<Product> result{baseline::gemm};
    if (instruction_set() >= InstructionSet::avx2) result.push_back(avx2::gemm);
    if (instruction_set() == InstructionSet::avx512) result.push_back(avx512::gemm);
    return result;
}

} // namespace

class TestPanelGemm : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// Against sums in double, over shapes that take every register block and its remainders.
    void matchesDoubleSums_data() {
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("depth");
        QTest::addColumn<int>("cols");
        QTest::addColumn<bool>("transposed");
        int shapes[][3] = {{1, 1, 16},     {5, 7, 16},    {24, 64, 48}, {23, 513, 64},
                           {13, 1030, 32}, {40, 33, 112}, {9, 600, 128}};
        for (auto& s : shapes)
            for (bool transposed : {false, true})
                QTest::addRow("%d x %d x %d%s", s[0], s[1], s[2], transposed ? " t" : "")
                    << s[0] << s[1] << s[2] << transposed;
    }
    void matchesDoubleSums() {
        QFETCH(int, rows);
        QFETCH(int, depth);
        QFETCH(int, cols);
        QFETCH(bool, transposed);
        auto a = numbers(static_cast<std::size_t>(rows * depth), 1),
             b = numbers(static_cast<std::size_t>(depth * cols), 2),
             bias = numbers(static_cast<std::size_t>(rows), 3),
             before = numbers(static_cast<std::size_t>(rows * cols), 4);
        for (Product product : products())
            for (bool accumulate : {false, true}) {
                std::vector<float> c = before;
                product({.a = a.data(),
                         .a_row = transposed ? 1 : depth,
                         .a_depth = transposed ? rows : 1,
                         .b = b.data(),
                         .b_stride = cols,
                         .c = c.data(),
                         .c_stride = cols,
                         .rows = rows,
                         .depth = depth,
                         .cols = cols,
                         .bias = accumulate ? nullptr : bias.data(),
                         .scale = 0.5f,
                         .accumulate = accumulate});
                for (int i = 0; i < rows; ++i)
                    for (int j = 0; j < cols; ++j) {
                        double sum = 0, size = 0;
                        for (int k = 0; k < depth; ++k) {
                            double x =
                                static_cast<double>(
                                    a[static_cast<std::size_t>(transposed ? k * rows + i : i * depth + k)])
                                * static_cast<double>(b[static_cast<std::size_t>(k * cols + j)]);
                            sum += x;
                            size += std::abs(x);
                        }
                        auto at = static_cast<std::size_t>(i * cols + j);
                        double wanted = 0.5 * sum
                                        + static_cast<double>(accumulate ? before[at]
                                                                         : bias[static_cast<std::size_t>(i)]);
                        QVERIFY(std::abs(static_cast<double>(c[at]) - wanted) < 1e-6 * (size + 1));
                    }
            }
    }

    /// A column's result does not depend on how many columns or rows are computed with it.
    void doesNotDependOnItsNeighbours() {
        const int rows = 50, depth = 700, cols = 64;
        auto a = numbers(rows * depth, 1), b = numbers(depth * cols, 2);
        for (Product product : products()) {
            std::vector<float> all(rows * cols), part(rows * cols);
            GemmCall call{.a = a.data(),
                          .a_row = depth,
                          .b = b.data(),
                          .b_stride = cols,
                          .c = all.data(),
                          .c_stride = cols,
                          .rows = rows,
                          .depth = depth,
                          .cols = cols};
            product(call);
            call.c = part.data();
            call.cols = 16;
            call.rows = 3;
            for (call.a = a.data(); call.a < a.data() + 48 * depth; call.a += 3 * depth, call.c += 3 * cols)
                for (int col = 0; col < cols; col += 16) {
                    GemmCall piece = call;
                    piece.b += col;
                    piece.c += col;
                    product(piece);
                }
            for (std::size_t i = 0; i < 48 * cols; ++i)
                QCOMPARE(part[i], all[i]);
        }
    }
};

QTEST_APPLESS_MAIN(TestPanelGemm)
#include "tst_panel_gemm.moc"
