#include "start.h"

static void quick(u32 *a, s64 low, s64 high) {
    while (low < high) {
        u32 pivot = a[(low + high) / 2];
        s64 i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) {
                u32 t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        if (j - low < high - i) {
            quick(a, low, j);
            low = i;
        } else {
            quick(a, i, high);
            high = j;
        }
    }
}

static void sift(u32 *a, u64 root, u64 count) {
    for (;;) {
        u64 child = 2 * root + 1;
        if (child >= count) return;
        if (child + 1 < count && a[child + 1] > a[child]) child++;
        if (a[root] >= a[child]) return;
        u32 t = a[root];
        a[root] = a[child];
        a[child] = t;
        root = child;
    }
}

static void work(void) {
    for (int i = 0; i < 4096; i++) data.words[i] = next();
    quick(data.words, 0, 2047);
    for (s64 i = 1023; i >= 0; i--) sift(data.words + 2048, (u64)i, 2048);
    for (u64 n = 2047; n > 0; n--) {
        u32 t = data.words[2048];
        data.words[2048] = data.words[2048 + n];
        data.words[2048 + n] = t;
        sift(data.words + 2048, 0, n);
    }
}
